#pragma once

// The lines that the subscribers of a channel get in one turn of the loop, joined once: each connection's
// queue holds only the place of its part. A run grows while the turn lasts and is written behind it.

#include "common/hub/message.hpp"
#include "server/net/compression.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::shell {

struct line_run {
    struct line {
        hub::message_ptr what;
        std::uint32_t end = 0;  // where it ends in `text`, in bytes
    };
    std::string text;
    std::vector<line> lines;

    // A part as a whole WebSocket message with its header, compressed where a compressor is given. Made for
    // the first who asks.
    const std::shared_ptr<const std::string>& message(
        std::uint32_t begin, std::uint32_t end, deflater* compressor
    );
    // The lines of the part that begins at this byte.
    std::span<const line> lines_from(std::uint32_t begin, std::size_t count) const;

private:
    struct made {
        std::uint32_t begin, end;
        bool compressed;
        std::shared_ptr<const std::string> bytes;
    };
    std::vector<made> messages_;  // one for each place where a connection began: nearly always one in all
};

// A run's last line, as a place in its text.
struct run_part {
    const std::shared_ptr<line_run>* run = nullptr;
    std::uint32_t begin = 0, end = 0;
};

// The runs of one turn, by channel.
class turn_runs {
public:
    // Appends a message to its channel's run: `write(text)` appends what it is written as. The part is valid
    // until the next call.
    template <class Write>
    run_part append(const hub::message_ptr& m, Write&& write) {
        const std::shared_ptr<line_run>& run = run_of(*m);
        const auto begin = static_cast<std::uint32_t>(run->text.size());
        write(run->text);
        const auto end = static_cast<std::uint32_t>(run->text.size());
        run->lines.push_back({m, end});
        return {&run, begin, end};
    }
    // The turn is over.
    void clear() { runs_.clear(); }

private:
    const std::shared_ptr<line_run>& run_of(const hub::message& m);

    // Keys lie in the runs' first messages.
    std::unordered_map<std::string_view, std::shared_ptr<line_run>> runs_;
};

}  // namespace pulsewire::shell
