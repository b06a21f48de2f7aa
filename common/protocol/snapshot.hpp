#pragma once

// The word of a publish that its payload is the state of the channel at an offset (docs/protocol.md 4.29).

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire {

// `Text` is std::string when the value travels and std::string_view during a call.
template <class Text>
struct basic_snapshot {
    // The payload, with those of the other parts, says what the publications up to this offset have made of
    // the channel. 0: it is no snapshot.
    std::uint64_t covers = 0;
    std::uint16_t part = 1;  // from 1
    std::uint16_t parts = 1;
    Text id = {};     // common to the parts of one snapshot; empty where there is one part
    Text epoch = {};  // of the log that `covers` is an offset of; empty: whichever there is

    explicit operator bool() const { return covers != 0; }
    template <class Other>
    basic_snapshot<Other> as() const {
        return {covers, part, parts, Other(id), Other(epoch)};
    }
};
using snapshot = basic_snapshot<std::string>;
using snapshot_view = basic_snapshot<std::string_view>;

}  // namespace pulsewire
