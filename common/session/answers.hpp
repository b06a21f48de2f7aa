#pragma once

// The way from sessions to their clients. Every message to a single connection goes through here, so that the
// time of the last one is known and errors are counted.

#include "common/exchange/config.hpp"
#include "common/exchange/instant.hpp"
#include "common/exchange/message_text.hpp"
#include "common/exchange/output.hpp"
#include "common/session/session.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

namespace pulsewire::hub {

class answers {
public:
    // Both outlive it.
    answers(output& out, session_counters& counted) : output_(out), counters_(counted) {}

    void send(session& s, message_ptr m, instant now) {
        s.sent_ms = now.monotonic_ms;
        output_.add_send(std::move(m), s.connection);
    }
    void error(
        session& s, std::uint64_t id, error_code code, std::string_view text, instant now,
        std::string_view pointer = {}
    ) {
        ++counters_.errors;
        send(s, make_error(id, code, text, pointer), now);
    }

private:
    output& output_;
    session_counters& counters_;
};

}  // namespace pulsewire::hub
