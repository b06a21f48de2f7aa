#pragma once

// The texts of messages where they depend on what was written before: an event of a plain event stream
// carries the cursor of all its channels (docs/protocol.md 8.4.3).

#include "common/exchange/message.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pulsewire::delivery {

// Texts of publications of one channel in a row that several streams write alike, so they are made only once.
class shared_event_texts {
public:
    virtual ~shared_event_texts() = default;
    virtual void write(const hub::message& m, std::string& out) = 0;
};

class event_text_source {
public:
    // Appends to `out`; nothing where the message means nothing for this connection.
    virtual void write(const hub::message_ptr& m, std::string& out) = 0;
    // These publications of one channel, in a row, have their text already: whether it may follow what was
    // written before; then they count as written.
    virtual bool continues(std::span<const hub::message_ptr> messages) = 0;
    // Publications of `channel` up to `offset` were dropped.
    virtual void write_gap(
        std::string_view channel, std::uint64_t offset, slow_consumer why, std::string& out
    ) = 0;
    // Whether its texts are those of all streams in the same place.
    virtual bool shares_texts() const = 0;
    // These, from here on. Precondition: shares_texts().
    virtual std::unique_ptr<shared_event_texts> shared_texts() const = 0;

protected:
    ~event_text_source() = default;
};

}  // namespace pulsewire::delivery
