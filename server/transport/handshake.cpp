#include "server/transport/handshake.hpp"

#include "common/base/base64.hpp"
#include "common/protocol/websocket_deflate.hpp"
#include "common/protocol/websocket_handshake.hpp"
#include "server/http/text.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace pulsewire::shell {
namespace {

response upgrade_required(std::string_view message) {
    response r = error_response(426, error_code::not_supported, message);
    r.add("Upgrade", "websocket");
    r.add("Connection", "Upgrade");
    r.add("Sec-WebSocket-Version", "13");
    return r;
}

bool has_upgrade_to_websocket(const request& r) {
    for (const auto& [name, value] : r.fields)
        if (same_ignoring_case(name, "Upgrade") && list_has(value, "websocket")) return true;
    return false;
}

// base64(SHA-1(key + GUID)), RFC 6455 4.2.2.
std::string accept_value(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-1, which the WebSocket handshake needs");
    return to_base64({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

bool offers_subprotocol(const request& r) {
    for (const auto& [name, value] : r.fields) {
        const bool offer = same_ignoring_case(name, "Sec-WebSocket-Protocol");
        if (offer && websocket::offers_protocol(value, subprotocol)) return true;
    }
    return false;
}

bool offers_compression(const request& r) {
    for (const auto& [name, value] : r.fields) {
        const bool offer = same_ignoring_case(name, "Sec-WebSocket-Extensions");
        if (offer && websocket::offers_deflate(value)) return true;
    }
    return false;
}

result<std::string, response> read_handshake(const request& r) {
    if (!r.upgrade || !has_upgrade_to_websocket(r)) {
        return failure{upgrade_required(
            "this address speaks WebSocket: use new WebSocket(url, 'pulsewire.v1') or the npm package "
            "pulsewire. "
            "For an event stream, as curl shows it, use /events?channel=<name>"
        )};
    }
    if (r.field("Sec-WebSocket-Version") != "13") {
        return failure{upgrade_required("only version 13 of WebSocket is spoken here")};
    }
    const std::string_view key = r.field("Sec-WebSocket-Key");
    if (r.http_1_0 || r.content_length > 0 || r.chunked || r.count("Sec-WebSocket-Key") != 1 ||
        !websocket::valid_handshake_key(key)) {
        return failure{error_response(
            400, error_code::invalid_frame,
            "the WebSocket handshake is not complete: HTTP/1.1, no body, and one Sec-WebSocket-Key of 16 "
            "bytes in base64"
        )};
    }
    return std::string(key);
}

response accept_handshake(const std::string& key) {
    response r;
    r.status = 101;
    r.add("Upgrade", "websocket");
    r.add("Connection", "Upgrade");
    r.add("Sec-WebSocket-Accept", accept_value(key));
    return r;
}

}  // namespace pulsewire::shell
