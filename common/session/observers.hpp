#pragma once

// The list of observers of what clients do, each with its interests.

#include "common/exchange/output.hpp"
#include "common/exchange/to_observer.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace pulsewire::hub {

// The observer that decides about events of this kind: the first that wants them.
inline std::optional<observer_index> first_with(const std::vector<interests>& list, bool interests::*of) {
    for (observer_index i = 0; i < list.size(); ++i)
        if (list[i].*of) return i;
    return std::nullopt;
}

class observers {
public:
    // Both outlive it.
    observers(const std::vector<interests>& list, output& out) : list_(list), output_(out) {}

    // Whether any observer wants this; asked first so that no value is made in vain.
    bool any(bool interests::*of) const { return first(of).has_value(); }
    std::optional<observer_index> first(bool interests::*of) const { return first_with(list_, of); }
    // Notifies every observer that wants it.
    template <class Value>
    void tell(bool interests::*of, const Value& value) {
        for (observer_index i = 0; i < list_.size(); ++i)
            if (list_[i].*of) tell(i, Value(value));
    }
    void tell(observer_index to, to_observer value) { output_.notices.push_back({to, std::move(value)}); }

private:
    const std::vector<interests>& list_;
    output& output_;
};

}  // namespace pulsewire::hub
