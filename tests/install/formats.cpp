#include <sonde/shape.hpp>

int main() { return sonde::to_string(sonde::Shape{400, sonde::dynamic}) == "(400, None)" ? 0 : 1; }
