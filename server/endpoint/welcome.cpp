#include "server/endpoint/welcome.hpp"

#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/router.hpp"
#include "server/http/response.hpp"

#include <memory>

namespace pulsewire::shell {
namespace {

std::unique_ptr<conversation> first_conversation(connection& owner, shard& home, node& all) {
    return std::make_unique<http_conversation>(owner, home, all, &answer_request);
}

std::string wrong_scheme() {
    return last_words(error_response(
        400, error_code::not_supported, "this port speaks TLS: use https:// and wss:// to reach it"
    ));
}

}  // namespace

welcome http_welcome() {
    return {
        first_conversation,
        {last_words(server_is_full()), wrong_scheme(), last_words(address_is_full())},
        give_to_stream};
}

}  // namespace pulsewire::shell
