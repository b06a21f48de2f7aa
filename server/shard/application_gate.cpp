#include "server/shard/application_gate.hpp"

#include "common/hub/message_text.hpp"

#include <string_view>
#include <variant>

namespace pulsewire::shell {

application_gate::verdict application_gate::judge(const hub::shard_message& m) {
    static constexpr std::string_view text =
        "the application does not keep up with its messages; try again later";
    const auto* publish = std::get_if<hub::client_publish>(&m);
    const auto* request = std::get_if<hub::client_request>(&m);
    // News, for example of an end, has no sender that could be told, and is bounded by what it tells of.
    if (publish == nullptr && request == nullptr) return {};
    if (application_ == nullptr || application_->admit()) return {};
    hub::reply answer;
    if (request != nullptr) {
        answer.to = request->from;
        answer.what = hub::make_error(request->id, error_code::overloaded, text);
        answer.ends_request = request->id;
    } else {
        if (publish->what.id == 0) return {false, std::nullopt};
        answer.to = publish->what.from;
        answer.what = hub::make_error(publish->what.id, error_code::overloaded, text);
    }
    return {false, std::move(answer)};
}

}  // namespace pulsewire::shell
