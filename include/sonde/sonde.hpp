#pragma once

/// All of Sonde in one include.
#include <sonde/array.hpp>
#include <sonde/augmentation.hpp>
#include <sonde/calibration.hpp>
#include <sonde/callbacks.hpp>
#include <sonde/cost.hpp>
#include <sonde/diagnosis.hpp>
#include <sonde/encoder_decoder.hpp>
#include <sonde/events.hpp>
#include <sonde/formats.hpp>
#include <sonde/keras.hpp>
#include <sonde/labeller.hpp>
#include <sonde/layers.hpp>
#include <sonde/mapped_samples.hpp>
#include <sonde/model.hpp>
#include <sonde/networks.hpp>
#include <sonde/plot.hpp>
#include <sonde/recipe.hpp>
#include <sonde/recording_set.hpp>
#include <sonde/recordings.hpp>
#include <sonde/report.hpp>
#include <sonde/samples.hpp>
#include <sonde/scores.hpp>
#include <sonde/stream.hpp>
#include <sonde/tuning.hpp>
#include <sonde/words.hpp>
