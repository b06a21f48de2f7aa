#include "server/endpoint/welcome.hpp"

#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/router.hpp"
#include "server/http/response.hpp"

#include <memory>

namespace pulsewire::shell {
namespace {

std::unique_ptr<conversation> first_conversation(connection& owner, shard& home, node& all) {
    return std::make_unique<http_conversation>(owner, home, all, &answer_request);
}

std::string overloaded() {
    response answer =
        error_response(503, error_code::overloaded, "the server has no room for more connections");
    answer.add("Retry-After", "5");
    return last_words(answer);
}

std::string too_many() {
    return last_words(
        too_many_requests("this address has too many connections, or opens them too quickly", 5'000)
    );
}

std::string wrong_scheme() {
    return last_words(error_response(
        400, error_code::not_supported, "this port speaks TLS: use https:// and wss:// to reach it"
    ));
}

}  // namespace

welcome http_welcome() {
    return {first_conversation, {overloaded(), wrong_scheme(), too_many()}};
}

}  // namespace pulsewire::shell
