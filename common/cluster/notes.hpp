#pragma once

// The words that nodes say to each other by the logs of partitions: requests between clients of two nodes,
// lines for streams that another node has, and orders to the sessions of all.

#include "common/base/result.hpp"
#include "common/exchange/to_session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::cluster {

// A request to the subscription `token` of the node that the note goes to. `number` is the asking node's.
struct ask_note {
    std::uint64_t number = 0;
    std::uint64_t token = 0;
    hub::ask what;  // `from` and `id` stay behind
};
// The request is withdrawn.
struct unask_note {
    std::uint64_t number = 0;
};
// Its answer. An error has a code, and else there is a payload.
struct answer_note {
    std::uint64_t number = 0;
    error_code code = error_code::none;
    std::string text;
    std::string payload;
    bool binary = false;  // the payload is bytes, not JSON
};

// Lines that a client posted to an event stream which another node has (protocol 8.2), and the outcome, a
// number that the shell chooses.
struct post_note {
    std::uint64_t number = 0;
    std::string stream;  // its name
    std::string lines;
};
struct posted_note {
    std::uint64_t number = 0;
    std::uint8_t outcome = 0;
};

// An order to the sessions of a user, or of all, on every node.
struct order {
    bool ends_tokens = false;  // of a revoke: the tokens count no more, too
    std::variant<hub::revoke, hub::offer_channel, hub::end_subscription> what;
};

using note = std::variant<ask_note, unask_note, answer_note, post_note, posted_note, order>;

std::string encode(const note& n);
// Nothing when the bytes are no note that this program knows.
std::optional<note> decode_note(std::string_view bytes);

}  // namespace pulsewire::cluster
