#include "common/delivery/framing.hpp"

#include "common/exchange/message_text.hpp"

namespace pulsewire::delivery {

shared_bytes line_of(const hub::message_ptr& m, framing how) {
    // Cursor events make their texts themselves, when it is their turn.
    const bool is_text = how == framing::websocket || how == framing::event_stream;
    if (!m->binary || !is_text) return shared_bytes(m, &m->line);
    struct text_and_message {
        std::string text;
        hub::message_ptr of;
    };
    const auto made = std::make_shared<const text_and_message>(text_and_message{hub::text_line(*m), m});
    return shared_bytes(made, &made->text);
}

}  // namespace pulsewire::delivery
