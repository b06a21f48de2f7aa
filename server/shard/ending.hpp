#pragma once

// Why a connection ended, for the log.

#include <cstdint>
#include <string_view>

namespace pulsewire::shell {

enum class ended_by : std::uint8_t { nobody, peer, server, hub, timeout };
constexpr std::string_view name_of(ended_by who) {
    switch (who) {
        case ended_by::nobody:
            return "nobody";
        case ended_by::peer:
            return "the peer";
        case ended_by::server:
            return "the server";
        case ended_by::hub:
            return "the hub";
        case ended_by::timeout:
            return "a timeout";
    }
    return {};
}

struct ending {
    ended_by who = ended_by::nobody;
    std::uint16_t code = 0;  // of the close frame or its event; 0: none

    // The first cause counts: what follows is its consequence.
    void note(ended_by cause, std::uint16_t with_code = 0) {
        if (who != ended_by::nobody) return;
        who = cause;
        code = with_code;
    }
};

}  // namespace pulsewire::shell
