#include "common/delivery/line_run.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <memory>

namespace pulsewire::delivery {
namespace {

// Says that a message is compressed (RFC 7692 6.1).
constexpr char first_reserved_bit = 0x40;

}  // namespace

void line_run::append(const hub::message_ptr& m) {
    if (events_ != nullptr) {
        events_->write(*m, text_);
    } else if (m->binary && how_ != framing::websocket_binary) {
        if (how_ == framing::event_stream) text_ += event_stream::data_prefix;
        text_ += hub::text_line(*m);
    } else {
        if (how_ == framing::event_stream) text_ += event_stream::data_prefix;
        text_ += m->line;
        binary_ |= m->binary;
    }
    messages_.push_back(m);
}

const shared_bytes& line_run::websocket_message(compressor* with) {
    shared_bytes& made = with != nullptr ? compressed_message_ : message_;
    if (made != nullptr) return made;
    std::string packed;
    if (with != nullptr) packed = with->compress(text_);
    const std::string_view payload = with != nullptr ? std::string_view(packed) : text_;
    const auto header = websocket::frame_header(
        binary_ ? websocket::opcode::binary : websocket::opcode::text, payload.size()
    );
    std::string bytes;
    bytes.reserve(header.view().size() + payload.size());
    bytes += header.view();
    bytes += payload;
    if (with != nullptr) bytes[0] = static_cast<char>(bytes[0] | first_reserved_bit);
    made = std::make_shared<const std::string>(std::move(bytes));
    return made;
}

}  // namespace pulsewire::delivery
