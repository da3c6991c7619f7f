#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sonde/recordings.hpp>

/// Draws `steps` steps of a record from its first labelled one: the signal, a cardiologist's labels
/// and the predicted ones, as SVG.
inline void draw_ecg(const std::filesystem::path& path, const sonde::Recording& record,
                     const std::vector<sonde::Index>& predicted, sonde::Index steps) {
  using sonde::Index;
  const char* colours[] = {"#e8e8e8", "#4c9f70", "#d1495b", "#3d7ea6"};
  const char* names[] = {"none", "P", "QRS", "T"};
  const float* weights = record.weights.data();
  const Index total = record.weights.size(), channels = record.signal.shape()[1];
  Index from = std::find_if(weights, weights + total, [](float w) { return w > 0; }) - weights;
  from = std::max<Index>(0, std::min(from, total - steps));
  steps = std::min(steps, total - from);
  const double width = 1000, left = 110, signal_height = 110, bar = 22;
  const auto x = [&](Index t) {
    return left + width * static_cast<double>(t) / static_cast<double>(steps);
  };
  const double labels_at = 50 + signal_height * static_cast<double>(channels);

  std::ofstream svg(path);
  svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1130 " << labels_at + 100
      << "\" font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" "
         "fill=\"white\"/>\n"
      << "<text x=\"" << left << "\" y=\"22\" font-size=\"15\">Record " << record.name
      << ", never seen in training: " << static_cast<double>(steps) / record.frequency << " s at "
      << record.frequency << " Hz</text>\n";
  for (Index c = 0; c < channels; ++c) {
    float low = 1e30f, high = -1e30f;
    const auto value = [&](Index t) { return record.signal.data()[(from + t) * channels + c]; };
    for (Index t = 0; t < steps; ++t)
      low = std::min(low, value(t)), high = std::max(high, value(t));
    const double top = 35 + signal_height * static_cast<double>(c);
    svg << "<text x=\"8\" y=\"" << top + 60 << "\">" << record.channels[static_cast<std::size_t>(c)]
        << "</text>\n<polyline fill=\"none\" stroke=\"#222\" stroke-width=\"1\" points=\"";
    for (Index t = 0; t < steps; ++t)
      svg << x(t) << ','
          << top + (signal_height - 12) *
                       static_cast<double>((high - value(t)) / std::max(high - low, 1e-6f))
          << ' ';
    svg << "\"/>\n";
  }
  const auto strip = [&](double top, const char* title, auto&& class_of) {
    svg << "<text x=\"8\" y=\"" << top + 16 << "\">" << title << "</text>\n";
    for (Index t = 0; t < steps;) {
      const Index k = class_of(t), begin = t;
      while (t < steps && class_of(t) == k) ++t;
      if (k >= 0)
        svg << "<rect x=\"" << x(begin) << "\" y=\"" << top << "\" width=\"" << x(t) - x(begin)
            << "\" height=\"" << bar << "\" fill=\"" << colours[k] << "\"/>\n";
    }
  };
  strip(labels_at, "cardiologist", [&](Index t) -> Index {
    return weights[from + t] > 0 ? static_cast<Index>(record.labels.data()[from + t]) : -1;
  });
  strip(labels_at + 28, "Sonde",
        [&](Index t) { return predicted[static_cast<std::size_t>(from + t)]; });
  for (int k = 0; k < 4; ++k)
    svg << "<rect x=\"" << left + 90 * k << "\" y=\"" << labels_at + 66
        << "\" width=\"16\" height=\"16\" fill=\"" << colours[k] << "\"/><text x=\""
        << left + 90 * k + 22 << "\" y=\"" << labels_at + 79 << "\">" << names[k] << "</text>\n";
  svg << "<text x=\"" << left + 370 << "\" y=\"" << labels_at + 79
      << "\">no bar: not labelled</text>\n</svg>\n";
}
