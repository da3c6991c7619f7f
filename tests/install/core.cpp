#include <sonde/array.hpp>
#include <sonde/shape.hpp>

int main() {
  const sonde::Array signal(sonde::Shape{400, 16});
  return sonde::to_string(signal.shape()) == "(400, 16)" ? 0 : 1;
}
