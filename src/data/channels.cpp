#include <fmt/format.h>

#include <algorithm>
#include <sonde/error.hpp>
#include <sonde/recordings.hpp>

namespace sonde {
namespace {

/// "C3/A2" of "night/C3/A2", and of "night/C3/A2[0:9]", a piece; its own name where it is no part.
std::string own_name(const Recording& channel) {
  const std::size_t piece =
      channel.whole.ends_with(']') ? channel.whole.rfind('[') : std::string::npos;
  const std::string before = channel.whole.substr(0, piece) + "/";
  const std::string behind = piece == std::string::npos ? "" : channel.whole.substr(piece);
  if (!channel.name.starts_with(before) || !channel.name.ends_with(behind)) return channel.name;
  return channel.name.substr(before.size(), channel.name.size() - before.size() - behind.size());
}

}  // namespace

Recording channel_of(const Recording& recording, Index channel) {
  const Index steps = recording.signal.shape()[0];
  if (channel < 0 || channel >= recording.signal.shape()[1])
    throw ArgumentError(fmt::format("channel_of: recording \"{}\" has {} channels, got number {}.",
                                    recording.name, recording.signal.shape()[1], channel));
  const auto at = static_cast<std::size_t>(channel);
  std::string name = at < recording.channels.size() ? recording.channels[at] : "";
  if (name.empty()) name = fmt::format("{}", channel + 1);
  Recording one;
  one.name = recording.name + "/" + name;
  one.group = recording.group.empty() ? recording.name : recording.group;
  one.frequency = recording.frequency;
  one.channels = {name};
  one.whole = recording.name;
  one.signal = Array({steps, 1});
  for (Index t = 0; t < steps; ++t) one.signal.data()[t] = recording.signal(t, channel);
  return one;
}

std::size_t count_channels(std::span<const Recording> recordings) {
  const auto other = std::find_if(recordings.begin(), recordings.end(), [&](const Recording& r) {
    return r.whole.empty() || r.whole != recordings.front().whole;
  });
  const auto count = static_cast<std::size_t>(other - recordings.begin());
  return std::max<std::size_t>(count, recordings.empty() ? 0 : 1);
}

Recording join_channels(std::span<const Recording> channels) {
  if (channels.empty()) throw ArgumentError("join_channels: got no channel.");
  const Recording& first = channels.front();
  const Index steps = first.signal.shape()[0], width = static_cast<Index>(channels.size());
  Recording whole = first;
  whole.name = first.whole.empty() ? first.name : first.whole;
  whole.whole = {};
  whole.channels.clear();
  whole.units.clear();
  whole.signal = Array({steps, width});
  for (Index c = 0; c < width; ++c) {
    const Recording& channel = channels[static_cast<std::size_t>(c)];
    if ((width > 1 && channel.whole.empty()) || channel.whole != first.whole ||
        channel.frequency != first.frequency || channel.signal.shape() != Shape{steps, 1} ||
        channel.labels.size() != first.labels.size() ||
        channel.weights.size() != first.weights.size() ||
        (!channel.weights.empty() && channel.labels.size() != channel.weights.size()))
      throw ArgumentError(fmt::format(
          "join_channels: \"{}\" and \"{}\" are no two channels that were recorded together.",
          first.name, channel.name));
    whole.channels.push_back(own_name(channel));
    whole.units.insert(whole.units.end(), channel.units.begin(), channel.units.end());
    for (Index t = 0; t < steps; ++t) whole.signal(t, c) = channel.signal.data()[t];
    for (Index t = 0; t < whole.weights.size(); ++t)
      if (whole.weights.data()[t] == 0 && channel.weights.data()[t] > 0) {
        whole.weights.data()[t] = channel.weights.data()[t];
        whole.labels.data()[t] = channel.labels.data()[t];
      }
  }
  return whole;
}

}  // namespace sonde
