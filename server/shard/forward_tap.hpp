#pragma once

// Tells whoever forwards which channels of a shard have something new. One batch is on its way at a time, and
// a channel is in the next one once, so that a slow reader costs memory for each channel and not for each
// publication. All of it belongs to the shard's thread.

#include "common/cluster/log_output.hpp"
#include "common/exchange/news.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class forward_tap {
public:
    struct reader {
        // The next batch comes after taken().
        std::function<void(std::vector<hub::channel_news>&&)> on_news;
        // Of the shared log.
        std::function<void(std::vector<cluster::log_output::turn>&&)> on_turns;
    };

    // Before the shard's thread runs.
    void use(reader told) { told_ = std::move(told); }

    void note(std::vector<hub::channel_news>& fresh) {
        if (!told_.on_news) return fresh.clear();
        for (hub::channel_news& each : fresh) {
            auto [at, is_first] = waiting_.try_emplace(each.channel);
            if (is_first)
                at->second = std::move(each);
            else
                at->second.head = each.head;
        }
        fresh.clear();
        give();
    }
    void note(std::vector<cluster::log_output::turn>&& turns) {
        if (told_.on_turns) told_.on_turns(std::move(turns));
    }
    void taken() {
        is_given_ = false;
        give();
    }

private:
    void give() {
        if (is_given_ || waiting_.empty()) return;
        is_given_ = true;
        std::vector<hub::channel_news> batch;
        batch.reserve(waiting_.size());
        for (auto& [name, what] : std::exchange(waiting_, {})) {
            batch.push_back(std::move(what));
        }
        told_.on_news(std::move(batch));
    }

    reader told_;
    // Ordered, because outsiders choose the names.
    std::map<std::string, hub::channel_news> waiting_;
    bool is_given_ = false;
};

}  // namespace pulsewire::shell
