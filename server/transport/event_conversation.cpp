#include "server/transport/event_conversation.hpp"

#include "common/hub/message_text.hpp"
#include "server/shard/shard.hpp"

namespace pulsewire::shell {

event_conversation::event_conversation(transport kind, connection& owner, shard& own_shard)
    : conversation(kind), owner_(owner), shard_(own_shard) {}

void event_conversation::on_overflow() {
    shard_.metrics().queue_drops += owner_.out().drop_lines();
    ++shard_.metrics().slow_closes;
    end_with(close_code::slow_consumer, "too much waited for this connection; come back and recover");
}

// The hub forgets the connection at once; what is queued still leaves.
void event_conversation::end_with(close_code code, std::string_view reason) {
    owner_.end().note(ended_by::server, static_cast<std::uint16_t>(code));
    push_close(hub::make_close(code, 0, reason));
    on_lost();
    owner_.finish(connection::farewell::close);
}

// The hub's close message came before, and is queued.
void event_conversation::on_close(close_code code, std::string_view) {
    owner_.end().note(ended_by::hub, static_cast<std::uint16_t>(code));
    owner_.finish(connection::farewell::close);
}

void event_conversation::on_lost() {
    shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
}

}  // namespace pulsewire::shell
