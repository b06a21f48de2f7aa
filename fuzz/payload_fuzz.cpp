// Typed payloads. What is decoded is encoded as JSON that decodes to the same; what is refused is described
// on one line; and of JSON itself nlohmann_json has the last word, apart from bounds.

#include "common/message/message.hpp"
#include "common/protocol/json_scan.hpp"
#include "fuzz/fuzz.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pulsewire::fuzz {
namespace {

enum class colour { red, green, blue };
PULSEWIRE_ENUM(colour, red, green, blue)

struct user_id {
    std::uint64_t number = 0;
};
PULSEWIRE_VALUE(user_id, number)

struct place {
    std::optional<double> latitude;
    float height = 0;
    colour tint = colour::red;
};
PULSEWIRE_FIELDS(place, latitude, height, tint)

struct everything {
    bool flag = false;
    std::int8_t small = 0;
    std::uint16_t medium = 0;
    std::int64_t large = 0;
    user_id user;
    std::string text;
    std::optional<place> where;
    std::array<int, 2> pair{};
    std::map<std::string, colour> tints;
    std::unordered_map<std::string, bool> flags;
    std::vector<everything> inner;
    std::optional<json_value> any;
};
PULSEWIRE_MESSAGE(
    everything, "fuzz.everything", flag, small, medium, large, user, text, where, pair, tints, flags, inner,
    any
)

template <class T>
void round_trip(std::string_view input) {
    const auto decoded = decode_payload<T>(input);
    if (!decoded) {
        const std::string why = decoded.error().message();
        require(!why.empty() && why.find_first_of("\r\n") == why.npos, "a refusal is one line");
        return;
    }
    const std::string json = encode_payload(*decoded);
    std::size_t stopped_at = 0;
    require(is_json(json, payload_depth_max, stopped_at), "what is encoded is JSON");
    require(json.find_first_of("\r\n") == json.npos, "on one line");
    const auto again = decode_payload<T>(json);
    require(again && encode_payload(*again) == json, "which decodes to the same");
}

}  // namespace

void test_one_input(std::string_view input) {
    const bool odd = input.starts_with("\xef\xbb\xbf") || input.find('\0') != input.npos;
    const bool accepted = !odd && json_value::accept(input.begin(), input.end());
    const auto parsed = parse_json(input);
    require(!parsed || accepted, "what is parsed is JSON");
    require(parsed || !accepted || parsed.error().expected != "JSON", "JSON is parsed, within its bounds");
    round_trip<everything>(input);
    round_trip<std::map<std::string, json_value>>(input);
    round_trip<std::vector<place>>(input);
}

}  // namespace pulsewire::fuzz
