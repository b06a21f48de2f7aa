#pragma once

// The numbers of all shards as Prometheus reads them. docs/operating.md explains each metric.

#include "server/shard/metrics.hpp"

#include <string>
#include <vector>

namespace pulsewire::shell {

class node;

std::string metrics_text(const std::vector<shard_metrics>& shards, const node& all);

}  // namespace pulsewire::shell
