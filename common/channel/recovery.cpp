#include "common/channel/recovery.hpp"

#include "common/base/base64.hpp"

#include <iterator>
#include <utility>

namespace pulsewire::hub {

void answer_with(starting_point&& start, bool keeps_state, attached& answer, subscribed_fields& f) {
    f.offset = start.offset;
    f.tail_from = start.tail_from;
    // Of a snapshot only the last part has an offset.
    f.replay = start.replay.size() + (start.snapshot.empty() ? 0 : 1);
    f.reason = start.lost;
    answer.replay = std::move(start.replay);
    if (!keeps_state) return;
    // Whoever gets the publications themselves needs no state that was made of them.
    for (message_ptr& m : answer.replay)
        if (m->is_snapshot) m = make_snapshot_mark(*m);
    for (message_ptr& part : start.snapshot) part = make_snapshot_part(*part);
    answer.replay.insert(
        answer.replay.begin(), std::make_move_iterator(start.snapshot.begin()),
        std::make_move_iterator(start.snapshot.end())
    );
}

void shorten(std::vector<message_ptr>& page) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < page.size(); ++i) {
        const message& m = *page[i];
        bytes += m.line.size() + (m.binary ? base64_size(m.payload().size()) - m.payload().size() : 0);
        if (bytes > history_page_bytes_max && i > 0) return page.resize(i);
    }
}

std::string json_array(const std::vector<message_ptr>& messages) {
    std::string json = "[";
    for (const message_ptr& m : messages) {
        if (json.size() > 1) json += ',';
        append_json(json, *m);
    }
    return json += ']';
}

}  // namespace pulsewire::hub
