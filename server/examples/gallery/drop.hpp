#pragma once

// File drop: a file is offered by a message of JSON and comes in parts of bytes, all of it kept for a while
// in the channel. The server looks at neither; it only sees that no part is too long to be one of a page.

#include "server/server.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gallery {

// What a file is called and how long it is; its parts follow.
struct drop_offer {
    std::string id;
    std::string by;  // the session that offers it: the server's word, whatever the page wrote
    std::string name;
    std::string kind;  // the media type, as the page's browser says
    std::uint32_t bytes = 0;
    std::uint32_t parts = 0;
};
PULSEWIRE_MESSAGE(drop_offer, "drop.offer", id, by, name, kind, bytes, parts)

inline void add_drop(pulsewire::server& server) {
    constexpr std::size_t head_bytes = 12, part_bytes_max = head_bytes + 48 * 1024;
    constexpr std::uint32_t file_bytes_max = 4 << 20;
    server.on<drop_offer>("drop:", [](drop_offer m, pulsewire::publish_context& c) {
        if (m.id.size() != 16) return c.reject("an id has 16 characters");
        if (m.name.empty() || m.name.size() > 200) return c.reject("a name has 1 to 200 bytes");
        if (m.bytes > file_bytes_max) return c.reject("a file has at most 4 MiB here");
        m.by = c.session();
        c.publish_instead(m);
    });
    server.on_bytes(
        "drop.part",
        [](std::span<const std::byte> bytes, pulsewire::publish_context& c) {
            if (bytes.size() <= head_bytes || bytes.size() > part_bytes_max)
                c.reject("a part has 1 byte to 48 KiB behind its head");
        },
        "drop:"
    );
}

}  // namespace gallery
