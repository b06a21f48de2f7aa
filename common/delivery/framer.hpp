#pragma once

// Gives what waits its framing, as late as possible: what has none may still be dropped, and lines that wait
// leave together (docs/protocol.md 2.3).

#include "common/delivery/compressor.hpp"
#include "common/delivery/event_text_source.hpp"
#include "common/delivery/framing.hpp"
#include "common/delivery/piece_list.hpp"
#include "common/delivery/slow_reader.hpp"

#include <cstddef>

namespace pulsewire::delivery {

class framer {
public:
    // How lines pushed from now on are framed; `events` writes them and outlives their waiting.
    void set(framing how, event_text_source* events) {
        how_ = how;
        events_ = events;
    }
    void set_compression(bool on) { compresses_ = on; }
    framing how() const { return how_; }
    const event_text_source* events() const { return events_; }

    // Frames what waits until so many bytes can be written.
    void frame(piece_list& list, slow_reader& slow, std::size_t bytes_ahead) const;
    // The first piece without framing, a run, becomes a message of its own, or several if it is long.
    void frame_run(piece_list& list) const;
    // The compressor for this run; null where it is sent as it is.
    compressor* compressor_for(const line_run& run, const storage& of) const;
    // Whether the piece, which has no framing yet, is a line that leaves as a message of its own and as it
    // is, whatever waits beside it.
    bool stays_alone(const piece& p, const storage& of) const;

private:
    bool compressible(const piece& p, const storage& of) const;
    void make_ready(piece_list& list, slow_reader& slow, std::size_t at) const;
    void make_run_ready(piece_list& list, piece& p) const;
    void frame_batch(piece_list& list, std::size_t end) const;
    void push_gaps(piece_list& list, slow_reader& slow) const;

    event_text_source* events_ = nullptr;
    framing how_ = framing::none;
    bool compresses_ = false;
};

}  // namespace pulsewire::delivery
