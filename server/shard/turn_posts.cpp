#include "server/shard/turn_posts.hpp"

#include <iterator>
#include <utility>

namespace pulsewire::shell {

turn_posts::turn_posts(node_port& all, hub::shard_index from)
    : all_(all), from_(from), batches_(all.shard_count()), notices_(all.observers().size()) {}

void turn_posts::add(hub::output::post&& p) {
    batches_[p.to].push_back(std::move(p.what));
    empty_ = false;
}

void turn_posts::add(hub::output::notice&& n) {
    notices_[n.to].push_back(std::move(n.what));
    empty_ = false;
}

void turn_posts::add(std::vector<hub::store_op>& operations) {
    if (operations.empty()) return;
    std::move(operations.begin(), operations.end(), std::back_inserter(stores_));
    empty_ = false;
}

void turn_posts::leave() {
    if (std::exchange(empty_, true)) return;
    if (!stores_.empty()) all_.store(from_, std::exchange(stores_, {}));
    for (hub::shard_index to = 0; to < batches_.size(); ++to)
        if (!batches_[to].empty()) all_.post(to, std::exchange(batches_[to], {}));
    for (hub::observer_index to = 0; to < notices_.size(); ++to)
        if (!notices_[to].empty()) all_.observers()[to]->post(std::exchange(notices_[to], {}));
}

}  // namespace pulsewire::shell
