#pragma once
#include <filesystem>
#include <sonde/formats.hpp>
#include <sonde/recordings.hpp>

/// The records of the QT Database, ready for a network: split by record; each brought to its own
/// median and spread, as a recorder's gain and offset say nothing; and then all by the training
/// part's means and deviations.
inline sonde::Parts load_ecg(const std::filesystem::path& data) {
  using namespace sonde;
  Parts parts = divide(load_ecg_qtdb(data), load_split(data / "split.csv"));
  const auto each_record = [&](auto&& act) {
    for (auto* part : {&parts.train, &parts.validation, &parts.test})
      for (Recording& record : *part) act(record);
  };
  each_record([](Recording& record) {
    fit_normalizer({&record, 1}, Scaling::per_recording_robust).apply(record.signal);
  });
  const Normalizer scale = fit_normalizer(parts.train);
  each_record([&](Recording& record) { scale.apply(record.signal); });
  return parts;
}
