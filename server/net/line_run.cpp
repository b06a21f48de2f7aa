#include "server/net/line_run.hpp"

#include "common/protocol/websocket_writer.hpp"

#include <string_view>

namespace pulsewire::shell {
namespace {

// Says that a message is compressed (RFC 7692 6.1).
constexpr char first_reserved_bit = 0x40;

}  // namespace

void line_run::append(const hub::message_ptr& m) {
    write_(*m, text_);
    messages_.push_back(m);
}

const std::shared_ptr<const std::string>& line_run::websocket_message(deflater* compressor) {
    auto& made = compressor != nullptr ? compressed_message_ : message_;
    if (made != nullptr) return made;
    std::string packed;
    if (compressor != nullptr) packed = compressor->compress(text_);
    const std::string_view payload = compressor != nullptr ? std::string_view(packed) : text_;
    const auto header = websocket::frame_header(websocket::opcode::text, payload.size());
    std::string bytes;
    bytes.reserve(header.view().size() + payload.size());
    bytes += header.view();
    bytes += payload;
    if (compressor != nullptr) bytes[0] = static_cast<char>(bytes[0] | first_reserved_bit);
    made = std::make_shared<const std::string>(std::move(bytes));
    return made;
}

}  // namespace pulsewire::shell
