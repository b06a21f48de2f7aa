#include "server/shard/turn_posts.hpp"

#include <iterator>
#include <utility>

namespace pulsewire::shell {

turn_posts::turn_posts(node_port& all, hub::shard_index from)
    : all_(all), from_(from), batches_(all.shard_count() + std::size_t{1}) {}

void turn_posts::add(hub::output::post&& p) {
    const std::size_t batch = p.to == hub::application ? batches_.size() - 1 : p.to;
    batches_[batch].push_back(std::move(p.what));
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
    for (std::size_t to = 0; to < batches_.size(); ++to) {
        if (batches_[to].empty()) continue;
        const bool to_application = to + 1 == batches_.size();
        all_.post(
            to_application ? hub::application : static_cast<hub::shard_index>(to),
            std::exchange(batches_[to], {})
        );
    }
}

}  // namespace pulsewire::shell
