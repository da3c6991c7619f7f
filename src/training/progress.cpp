#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sonde/callbacks.hpp>

// Looks like Keras' progress bar (keras.src.utils.progbar), but never draws into files and pipes.
namespace sonde {
namespace {

constexpr Index cells = 20;
/// A line is drawn at most this often, in seconds: training must not wait for a terminal.
constexpr double interval = 0.05;

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool moves(std::FILE* stream) {
  const char* kind = std::getenv("TERM");
  return isatty(fileno(stream)) && (!kind || std::strcmp(kind, "dumb") != 0);
}

std::size_t columns(std::FILE* stream) {
  winsize size{};
  return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string remaining(double seconds) {
  const auto s = static_cast<long>(seconds);
  if (s > 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  if (s > 60) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string per_step(double seconds) {
  if (seconds >= 1 || seconds == 0) return fmt::format("{:.0f}s/step", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.0f}ms/step", seconds * 1e3);
  return fmt::format("{:.0f}us/step", seconds * 1e6);
}

std::string value_text(const std::string& name, double value) {
  return std::abs(value) > 1e-3 ? fmt::format(" - {}: {:.4f}", name, value)
                                : fmt::format(" - {}: {:.4e}", name, value);
}

/// Seconds for a batch. The first one of an epoch is not typical and left out when others are done.
double step_seconds(const ProgressBar& bar, Index done, double time) {
  const Index after = done - bar.first_number;
  if (after > 0 && bar.first_batch > 0)
    return (time - bar.first_batch) / static_cast<double>(after);
  return done > 0 ? (time - bar.epoch_started) / static_cast<double>(after + 1) : 0;
}

std::string repeated(std::string_view text, Index count) {
  std::string all;
  for (Index i = 0; i < count; ++i) all += text;
  return all;
}

/// " 1034 samples/s"; nothing where there is no time to divide by.
std::string samples_per_second(const Training& t, double step) {
  if (t.samples == 0 || t.batches == 0 || !(step > 0)) return "";
  const double in_batch = static_cast<double>(t.samples) / static_cast<double>(t.batches);
  return fmt::format(" {:.{}f} samples/s", in_batch / step, in_batch / step < 10 ? 1 : 0);
}

/// "12/15 ━━━━━━━━━━━━━━━━━━━━ 3s 232ms/step 138 samples/s - loss: 0.6907", at most `width`
/// columns.
std::string live_line(const ProgressBar& bar, const Training& t, bool last, std::size_t width) {
  const Index done = t.batch;
  const double time = now();
  const double each = step_seconds(bar, done, time);
  const std::string total = fmt::format("{}", t.batches);
  const std::string count = fmt::format("{:>{}}/{}", done, total.size(), total);
  const Index full = t.batches > 0 ? cells * done / t.batches : 0;
  const std::string clock = last ? fmt::format("{:.0f}s", time - bar.epoch_started)
                                 : remaining(each * static_cast<double>(t.batches - done));
  const std::string speed = per_step(each) + samples_per_second(t, each);
  std::size_t used = count.size() + 1 + cells + 1 + clock.size() + 1 + speed.size();

  const auto style = [&](const char* code, const std::string& text) {
    return bar.colour && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  };
  std::string line = fmt::format(
      "{} {}{} {} {}", style("1", count), style("32", repeated("━", full)),
      style("37", repeated(bar.colour ? "━" : "─", cells - full)), style("1", clock), speed);
  for (const auto& [name, value] : t.logs) {
    const std::string text = value_text(name, value);
    // A moving line that wraps could not be drawn over: what does not fit waits for the last one.
    if (!last && used + text.size() >= width) break;
    used += text.size();
    line += text;
  }
  return line;
}

}  // namespace

void ProgressBar::train_begin(Training&) {
  epoch_started = now();  // a run that goes on in the middle of an epoch has no epoch_begin
  first_batch = 0;
  first_number = 1;
  terminal = moves(stream);
  colour = terminal && !is_set("NO_COLOR");
}

void ProgressBar::epoch_begin(Training& t) {
  epoch_started = now();
  first_batch = 0;
  last_drawn = 0;
  if (terminal && t.epochs > 1) {
    std::fprintf(stream, "Epoch %td/%td\n", t.epoch + 1, t.epochs);
    std::fflush(stream);
  }
}

void ProgressBar::batch_end(Training& t) {
  const double time = now();
  if (first_batch == 0) {
    first_batch = time;
    first_number = t.batch;
  }
  if (!terminal || time - last_drawn < interval) return;
  last_drawn = time;
  const std::string line = live_line(*this, t, false, columns(stream));
  std::fprintf(stream, "\r%s\x1b[K", line.c_str());
  std::fflush(stream);
}

void ProgressBar::epoch_end(Training& t) {
  if (terminal) {
    const std::string line = live_line(*this, t, true, columns(stream));
    std::fprintf(stream, "\r%s\x1b[K\n", line.c_str());
  } else {
    const double time = now();
    std::string line =
        fmt::format("Epoch {}/{} - {:.0f}s - {}", t.epoch + 1, t.epochs, time - epoch_started,
                    per_step(step_seconds(*this, t.batch, time)));
    for (const auto& [name, value] : t.logs) line += value_text(name, value);
    std::fprintf(stream, "%s\n", line.c_str());
  }
  std::fflush(stream);
}

}  // namespace sonde
