#include "common/delivery/line_run.hpp"

#include "common/delivery/bounds.hpp"
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
    const std::size_t begin = text_.size();
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
    const std::size_t first = ends_.empty() ? 0 : ends_.back();
    if (events_ == nullptr && begin > first && text_.size() - first > joined_bytes_max) end_message_at(begin);
}

// A line has come that would be too much for the message before it.
void line_run::end_message_at(std::size_t end) {
    if (how_ == framing::event_stream) {
        text_.insert(end, event_stream::event_end);
        end += event_stream::event_end.size();
    }
    ends_.push_back(end);
}

const shared_bytes& line_run::websocket_message(compressor* with) {
    shared_bytes& made = with != nullptr ? compressed_message_ : message_;
    if (made != nullptr) return made;
    std::string bytes;
    if (with == nullptr) bytes.reserve(text_.size() + (ends_.size() + 1) * websocket::frame_header_bytes_max);
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= ends_.size(); ++i) {
        const std::size_t end = i < ends_.size() ? ends_[i] : text_.size();
        std::string_view payload = std::string_view(text_).substr(begin, end - begin);
        std::string packed;
        if (with != nullptr) payload = packed = with->compress(payload);
        const auto header = websocket::frame_header(
            binary_ ? websocket::opcode::binary : websocket::opcode::text, payload.size()
        );
        const std::size_t header_at = bytes.size();
        bytes += header.view();
        if (with != nullptr) bytes[header_at] = static_cast<char>(bytes[header_at] | first_reserved_bit);
        bytes += payload;
        begin = end;
    }
    made = std::make_shared<const std::string>(std::move(bytes));
    return made;
}

}  // namespace pulsewire::delivery
