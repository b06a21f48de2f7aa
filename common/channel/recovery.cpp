#include "common/channel/recovery.hpp"

#include "common/base/base64.hpp"
#include "common/exchange/message_text.hpp"

namespace pulsewire::hub {

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
