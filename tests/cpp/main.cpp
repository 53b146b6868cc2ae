// The C++ tests, which need no Python: cpp_tests [AREA ...]
#include <cstring>

#include "check.hpp"

namespace bitsense {
void core_tests(Suite& test);
void kernel_tests(Suite& test);
void tile_tests(Suite& test);
void text_tests(Suite& test);
void plan_tests(Suite& test);
void training_tests(Suite& test);
void team_tests(Suite& test);
void word_tests(Suite& test);
void search_tests(Suite& test);
void graph_tests(Suite& test);
void index_tests(Suite& test);
void file_tests(Suite& test);
}  // namespace bitsense

int main(int count, char** names) {
  using namespace bitsense;
  const struct {
    const char* name;
    void (*tests)(Suite&);
  } areas[] = {{"core", core_tests},   {"kernels", kernel_tests}, {"tiles", tile_tests},
               {"text", text_tests},   {"plans", plan_tests},     {"training", training_tests},
               {"team", team_tests},   {"words", word_tests},     {"search", search_tests},
               {"graph", graph_tests}, {"indexes", index_tests},  {"files", file_tests}};
  int run = 0;
  int failed = 0;
  for (const auto& area : areas) {
    bool wanted = count == 1;
    for (int i = 1; i < count; ++i) wanted = wanted || std::strcmp(names[i], area.name) == 0;
    if (!wanted) continue;
    Suite suite(area.name);
    area.tests(suite);
    run += suite.run();
    failed += suite.failed();
  }
  std::printf("%d tests, %d failed\n", run, failed);
  return run == 0 || failed != 0 ? 1 : 0;
}
