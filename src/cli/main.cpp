#include "cli/program.hpp"

int main(int argc, char** argv) { return sonde::cli::run(argc, argv); }
