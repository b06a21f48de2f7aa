#pragma once

// Commands about which an observer decides (docs/protocol.md 4.25): they wait for its word, and what the
// client sends after them waits behind them, so that everything keeps its order. The observer is asked at
// once about each, not about one after the other.

#include "common/exchange/config.hpp"
#include "common/exchange/instant.hpp"
#include "common/exchange/to_session.hpp"
#include "common/protocol/command.hpp"
#include "common/session/guard.hpp"
#include "common/session/observers.hpp"
#include "common/session/session.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace pulsewire::hub {

// An observer that does not answer for so long has refused: before clients take the silence for a dead
// connection.
inline constexpr std::int64_t authorization_ms_max = 8'000;

// The commands of a session that wait: beyond either, nothing more of it is carried out.
inline constexpr std::size_t waiting_commands_max = 16;
inline constexpr std::size_t waiting_command_bytes_max = 64 << 10;

class authorizations {
public:
    // Both outlive it.
    authorizations(const config& settings, observers& deciding);

    // Takes a command that has passed the guard, if it has to wait. Its texts are copied.
    bool takes(session& s, const command& c, instant now);
    // Whether the session has as many waiting commands as it may.
    static bool is_full(const session& s);

    // The observer's word about a waiting command. Nothing happens if it came too late.
    void settle(session& s, const authorized& word, instant now);
    // Refuses what no observer has answered in time. True: the first command may be ready now.
    bool expire(session& s, instant now);

    // A waiting command whose turn has come, with the reason why it is not to be carried out.
    struct ready {
        std::unique_ptr<waiting_command> what;
        std::optional<refusal> why_not;
    };
    // Nothing when the first command still waits, or none does.
    static std::optional<ready> next(session& s);

private:
    std::optional<observer_index> who_decides(const session& s, const command& c, observer_index first) const;
    void ask(session& s, waiting_command& w, observer_index whom, instant now);

    const config& config_;
    observers& observers_;
    bool anybody_decides_;
    std::uint64_t last_number_ = 0;
};

}  // namespace pulsewire::hub
