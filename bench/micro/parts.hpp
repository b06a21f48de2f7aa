#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/work.hpp"

namespace pulsewire::bench {

void add_codec(std::vector<work>& all);
void add_hub(std::vector<work>& all);
void add_client(std::vector<work>& all);
void add_cluster(std::vector<work>& all);

// 128 bytes of JSON as applications send them.
std::string payload();
std::string publish_line(std::string_view channel);
std::string publication_line(std::string_view channel, std::uint64_t offset);

}  // namespace pulsewire::bench
