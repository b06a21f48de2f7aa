#include "server/shard/plain_texts.hpp"

#include <memory>

namespace pulsewire::shell {

delivery::shared_bytes plain_texts::of(
    const hub::message_ptr& m, std::string (*text_of)(std::string_view payload)
) {
    struct text_and_message {
        std::string text;
        hub::message_ptr of;
    };
    delivery::shared_bytes& text = texts_[m.get()];
    if (!text) {
        const auto made = std::make_shared<const text_and_message>(text_and_message{
            m->binary ? std::string(m->payload()) : text_of(m->payload()), m});
        text = delivery::shared_bytes(made, &made->text);
    }
    return text;
}

}  // namespace pulsewire::shell
