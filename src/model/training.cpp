#include <sonde/callbacks.hpp>
#include <sonde/model.hpp>

// The half of Training that reaches up to the model.
namespace sonde {

double Training::learning_rate() const { return model_.learning_rate(); }
void Training::set_learning_rate(double rate) { model_.set_learning_rate(rate); }
std::vector<Array> Training::weights() const { return model_.get_weights(); }
void Training::set_weights(const std::vector<Array>& weights) { model_.set_weights(weights); }

}  // namespace sonde
