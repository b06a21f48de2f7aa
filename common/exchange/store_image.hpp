#pragma once

// A store in memory: the reference for tests and the simulator, and the contract
// that the store on disk has to meet.

#include "common/exchange/store.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class store_image {
public:
    void apply(const store_op& op) {
        std::visit([this](const auto& what) { on(what); }, op.what);
    }

    std::uint64_t generation() const { return generation_; }

    // Each channel with the newest publications of its epoch that have no hole between them.
    std::vector<restored_channel> channels() const {
        std::vector<restored_channel> all;
        for (const auto& [name, row] : channels_) {
            restored_channel& c = all.emplace_back(restored_channel{name, row.epoch, row.head, {}});
            const auto end = publications_.lower_bound({name, UINT64_MAX});
            for (auto at = publications_.lower_bound({name, 0}); at != end; ++at) {
                if (at->second.epoch != row.epoch) continue;
                const std::uint64_t offset = at->first.second;
                if (!c.publications.empty() && c.publications.back()->offset + 1 != offset)
                    c.publications.clear();
                c.publications.push_back(at->second.what);
            }
            if (!c.publications.empty()) {
                const std::uint64_t last = c.publications.back()->offset;
                // The row knows of later publications than these, so a hole follows
                // them: none of them may be kept.
                if (last < c.head) c.publications.clear();
                c.head = std::max(c.head, last);
            }
        }
        return all;
    }

    // Oldest first. A key is left out when the publication at its offset was published with another key.
    std::vector<restored_key> keys() const {
        std::vector<restored_key> all;
        for (const restored_key& k : keys_) {
            const auto channel = channels_.find(k.channel);
            if (channel == channels_.end() || channel->second.epoch != k.epoch) continue;
            const auto found = publications_.find({k.channel, k.offset});
            if (found == publications_.end() || found->second.key == k.key) all.push_back(k);
        }
        return all;
    }

private:
    void on(const keep_channel& k) { channels_[k.channel] = {k.epoch, k.head}; }
    void on(const keep_publication& k) {
        const std::string channel(k.what->channel());
        publications_[{channel, k.what->offset}] = k;
        if (k.key.empty()) return;
        const restored_key added{channel, k.epoch, k.key, k.what->offset, k.what->time_ms, k.content};
        const auto later = [](const restored_key& a, const restored_key& b) { return a.time_ms < b.time_ms; };
        keys_.insert(std::upper_bound(keys_.begin(), keys_.end(), added, later), added);
    }
    void on(const trim_channel& t) { erase(t.channel, 0, t.oldest); }
    void on(const truncate_channel& t) {
        erase(t.channel, t.head + 1, UINT64_MAX);
        std::erase_if(keys_, [&](const restored_key& k) {
            return k.channel == t.channel && k.offset > t.head;
        });
    }
    void on(const drop_channel& d) {
        erase(d.channel, 0, UINT64_MAX);
        channels_.erase(d.channel);
        generation_ = std::max(generation_, d.generation);
    }
    void on(const forget_keys& f) {
        std::erase_if(keys_, [&](const restored_key& k) { return k.time_ms < f.before_ms; });
    }
    void erase(const std::string& channel, std::uint64_t from, std::uint64_t before) {
        publications_.erase(
            publications_.lower_bound({channel, from}), publications_.lower_bound({channel, before})
        );
    }

    struct row {
        std::string epoch;
        std::uint64_t head = 0;
    };
    std::map<std::string, row> channels_;
    std::map<std::pair<std::string, std::uint64_t>, keep_publication> publications_;
    std::vector<restored_key> keys_;  // by time
    std::uint64_t generation_ = 0;
};

}  // namespace pulsewire::hub
