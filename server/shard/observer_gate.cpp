#include "server/shard/observer_gate.hpp"

#include "common/exchange/message_text.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::shell {

observer_gate::verdict observer_gate::judge(const hub::output::notice& n) {
    static constexpr std::string_view text =
        "the application does not keep up with its messages; try again later";
    const auto* publish = std::get_if<hub::client_publish>(&n.what);
    const auto* request = std::get_if<hub::client_request>(&n.what);
    const auto* authorize = std::get_if<hub::authorize>(&n.what);
    // News, for example of an end, has no sender that could be told, and is bounded by what it tells of.
    if (publish == nullptr && request == nullptr && authorize == nullptr) return {};
    if (observers_[n.to]->admit()) return {};
    if (authorize != nullptr)
        return {
            false,
            hub::authorized{authorize->who, authorize->number, error_code::overloaded, std::string(text)}};
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
