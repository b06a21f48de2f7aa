#pragma once

// The queue of bytes to be written to one connection: references to shared bytes, in order, counted. Nothing
// is copied or encoded here, and nothing is sent: a writer asks for next_parts() and reports what was taken.
// Lines are joined to WebSocket messages or SSE events only then, so that everything that waits leaves
// together (docs/protocol.md 2.3).
//
//     parts next;
//     while (queue.next_parts(next)) {
//         const std::size_t taken = write as much of `next` as the peer takes;
//         queue.taken(taken);
//         if (taken < next.bytes) { queue.blocked(); break; }
//     }
//
// While the peer takes no more, publications of a namespace whose policy allows it may leave the queue
// unwritten; what is missing is told before the next one (5.4).

#include "common/delivery/framer.hpp"
#include "common/delivery/framing.hpp"
#include "common/delivery/line_run.hpp"
#include "common/delivery/piece_list.hpp"
#include "common/delivery/slow_reader.hpp"
#include "common/delivery/storage.hpp"
#include "common/exchange/message.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::delivery {

// The bytes of one system call. Uninitialised, since it is large and mostly a few of its places are used.
struct parts {
    // The kernel takes up to 1,024; a few batches with prefix and body each fit in here.
    static constexpr std::size_t count_max = 256;

    std::array<part, count_max> all;
    std::size_t count = 0;
    std::size_t bytes = 0;
    // Of lines that are written before they get their framing, one for each message.
    std::array<websocket::frame_header_bytes, 4> headers;
};

class outbound {
public:
    explicit outbound(storage& of) : list_(of) {}

    // How lines pushed from now on are framed; `events` writes them and outlives their waiting.
    void set_framing(framing how, event_text_source* events = nullptr) { framer_.set(how, events); }
    // Whether the peer understands compressed WebSocket messages (RFC 7692). Runs are.
    void set_compression(bool on) { framer_.set_compression(on); }
    framing framed_as() const { return framer_.how(); }
    const event_text_source* events() const { return framer_.events(); }

    // A line that ends with a newline or with a payload of bytes, framed together with its neighbours when it
    // is written. `message` is what it says, if it is one; `line` keeps it alive.
    void push_line(shared_bytes line, counts how = counts::as_live, const hub::message* message = nullptr);
    // A message of the hub as a line, without copying it.
    void push_message(const hub::message_ptr& m, counts how = counts::as_live) {
        push_line(shared_bytes(m, &m->line), how, m.get());
    }
    // Whether push_run() may be called: not where the framing knows no lines, nor while the connection is too
    // slow, since each message may have to leave the queue by itself then.
    bool takes_runs() const {
        return !blocked_ && !slow_.is_slow() && framed_as() != framing::none && framed_as() != framing::plain;
    }
    // All that the run holds when it is written; its lines are as the framing wants them.
    void push_run(std::shared_ptr<line_run> run);
    // Bytes that stand for themselves, after everything that waits. `prefix` (at most 14 bytes) goes before
    // them.
    void push_raw(shared_bytes bytes, std::string_view prefix = {}, counts how = counts::as_live);
    void push_raw(std::string bytes, counts how = counts::as_live);
    // As push_raw, but before the lines that have not yet begun to be written: pongs, close frames.
    void push_control(std::string_view bytes);

    // Forgets the lines that are not part of a frame that has begun, and tells how many there were.
    std::size_t drop_lines();

    // Whether more waits than may, also after what may be dropped was dropped.
    bool overflows() { return slow_.overflows(list_); }
    bool empty() const { return list_.empty(); }
    // Of how many pieces its memory consists.
    std::size_t pieces() const { return list_.size(); }
    // What waits, in bytes, without the runs that still grow.
    std::size_t unwritten_bytes() const { return list_.unwritten_bytes(); }
    // The memory of everything that waits, in bytes, shared or not.
    std::size_t waiting_memory() const { return list_.memory(); }
    // Whether more of what the peer asks for may be carried out: at most one batch waits for it. A small
    // piece takes more memory than its bytes, so their number counts, too.
    bool has_room() const {
        return list_.unwritten_bytes() <= list_.limits().batch_bytes_max &&
               list_.waiting() <= room_pieces_max;
    }
    // Bytes of answers that may be made now; 0 when there is no room.
    std::size_t room() const {
        return has_room() ? list_.limits().batch_bytes_max - list_.unwritten_bytes() + 1 : 0;
    }

    // --- for what writes ---

    // Gives the bytes to be written next, valid until the queue is changed. False when nothing waits.
    bool next_parts(parts& next);
    // So many bytes of next_parts() were taken.
    void taken(std::size_t bytes);
    // The peer takes no more for now: from here on its queue counts as that of a slow reader, until
    // next_parts() is called again.
    void blocked();
    // It waits for a later turn to be written: until next_parts() is called it counts as waiting memory.
    void put_off();

    // The bytes of a run that need not enter the queue, which is the usual thing where one message is
    // published to many; null where it must: then push_run(). Valid as long as the run.
    const std::string* whole_message(line_run& run) const;
    // ... of which only so many bytes were taken.
    void push_rest(std::shared_ptr<line_run> run, std::size_t bytes_taken);

private:
    static constexpr std::size_t room_pieces_max = 512;

    bool keeps_bytes() const {
        return framed_as() == framing::websocket_binary || framed_as() == framing::plain;
    }
    bool gives_lines_as_they_are(parts& next) const;
    bool gives_large_messages_as_they_are(parts& next);
    bool is_one_run() const;
    void tidy();

    piece_list list_;
    slow_reader slow_;
    framer framer_;
    bool blocked_ = false;  // the peer took less than was there
    bool put_off_ = false;
    std::uint16_t unframed_pieces_ = 0;  // that next_parts() gave before they have their framing
    std::uint32_t unframed_bytes_ = 0;   // ... with it
};

}  // namespace pulsewire::delivery
