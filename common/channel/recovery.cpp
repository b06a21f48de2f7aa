#include "common/channel/recovery.hpp"

namespace pulsewire::hub {

void shorten(std::vector<message_ptr>& page) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < page.size(); ++i) {
        bytes += page[i]->line.size();
        if (bytes > history_page_bytes_max && i > 0) return page.resize(i);
    }
}

std::string json_array(const std::vector<message_ptr>& messages) {
    std::string json = "[";
    for (const message_ptr& m : messages) {
        if (json.size() > 1) json += ',';
        json.append(m->line, 0, m->line.size() - 1);
    }
    return json += ']';
}

}  // namespace pulsewire::hub
