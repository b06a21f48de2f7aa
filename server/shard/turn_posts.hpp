#pragma once

// What the hub of one shard posts in one turn of the loop. It leaves at the end of the turn in one batch for
// each target: the other shards, the observers, the commit thread.

#include "common/hub/hub.hpp"
#include "server/shard/ports.hpp"

#include <vector>

namespace pulsewire::shell {

class turn_posts {
public:
    // `all` outlives it.
    turn_posts(node_port& all, hub::shard_index from);

    void add(hub::output::post&& p);
    void add(hub::output::notice&& n);
    void add(std::vector<hub::store_op>& operations);  // takes what is in there
    bool empty() const { return empty_; }
    void leave();

private:
    node_port& all_;
    hub::shard_index from_;
    std::vector<std::vector<hub::shard_message>> batches_;  // by shard
    std::vector<std::vector<hub::to_observer>> notices_;    // by observer
    std::vector<hub::store_op> stores_;
    bool empty_ = true;
};

}  // namespace pulsewire::shell
