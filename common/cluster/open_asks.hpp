#pragma once

// The requests between a client of this node and one of another that are not answered yet, in both
// directions. Their deadlines are kept by the sessions; here they only bound the memory.

#include "common/cluster/record.hpp"
#include "common/exchange/address.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::cluster {

// By a client of this node.
struct own_ask {
    hub::connection_ref from;
    std::uint64_t id = 0;
    process_id asked = 0;
    std::int64_t due_ms = 0;
};
// By a client of another.
struct foreign_ask {
    process_id asker = 0;
    std::uint64_t number = 0;  // the asking node's
    std::string channel;
    std::int64_t due_ms = 0;
};

class open_asks {
public:
    template <class Ask>
    struct numbered {
        std::uint64_t number = 0;
        Ask what;
    };

    // Beyond, nothing is added.
    static constexpr std::size_t each_max = 16'384;

    // The number of the new entry; 0: there is no room.
    std::uint64_t add(own_ask a) { return add(own_, std::move(a)); }
    std::uint64_t add(foreign_ask a) { return add(foreign_, std::move(a)); }

    std::optional<own_ask> take_own(std::uint64_t number, process_id answered_by) {
        const auto found = own_.find(number);
        if (found == own_.end() || found->second.asked != answered_by) return std::nullopt;
        return std::move(own_.extract(found).mapped());
    }
    std::optional<foreign_ask> take_foreign(std::uint64_t number) {
        const auto found = foreign_.find(number);
        if (found == foreign_.end()) return std::nullopt;
        return std::move(foreign_.extract(found).mapped());
    }
    // The ask that its asker names so, taken, with its number here.
    std::optional<numbered<own_ask>> take_own_named(const hub::connection_ref& from, std::uint64_t id) {
        return take_if(own_, [&](const own_ask& a) { return a.from == from && a.id == id; });
    }
    std::optional<numbered<foreign_ask>> take_foreign_named(process_id asker, std::uint64_t number) {
        return take_if(foreign_, [&](const foreign_ask& a) {
            return a.asker == asker && a.number == number;
        });
    }
    // Those to a process that has ended.
    std::vector<own_ask> take_own_to(process_id gone) {
        std::vector<own_ask> lost;
        for (auto a = own_.begin(); a != own_.end();) {
            if (a->second.asked == gone) lost.push_back(a->second);
            a = a->second.asked == gone ? own_.erase(a) : std::next(a);
        }
        return lost;
    }
    void forget_overdue(std::int64_t now_ms) {
        std::erase_if(own_, [&](const auto& a) { return a.second.due_ms <= now_ms; });
        std::erase_if(foreign_, [&](const auto& a) { return a.second.due_ms <= now_ms; });
    }

private:
    template <class Ask>
    std::uint64_t add(std::map<std::uint64_t, Ask>& to, Ask&& a) {
        if (to.size() >= each_max) return 0;
        to.emplace(++last_, std::move(a));
        return last_;
    }

    template <class Ask, class Which>
    static std::optional<numbered<Ask>> take_if(std::map<std::uint64_t, Ask>& from, Which&& which) {
        const auto found =
            std::find_if(from.begin(), from.end(), [&](const auto& a) { return which(a.second); });
        if (found == from.end()) return std::nullopt;
        numbered<Ask> taken{found->first, std::move(found->second)};
        from.erase(found);
        return taken;
    }

    std::map<std::uint64_t, own_ask> own_;
    std::map<std::uint64_t, foreign_ask> foreign_;
    std::uint64_t last_ = 0;
};

}  // namespace pulsewire::cluster
