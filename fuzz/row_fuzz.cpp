// The rows of the store: a row that was damaged is recognised, and whatever has the right checksum is read
// without a fault, into what writes the same row again. The input is a key, a zero byte, and what the value
// holds after its checksum.

#include "common/exchange/message_text.hpp"
#include "fuzz/fuzz.hpp"
#include "server/storage/row.hpp"

#include <boost/crc.hpp>

#include <cstdint>
#include <string>

namespace pulsewire::fuzz {
namespace {

namespace row = shell::row;

std::string with_checksum(std::string_view key, std::string_view content) {
    boost::crc_32_type crc;
    crc.process_bytes(key.data(), key.size());
    crc.process_bytes(content.data(), content.size());
    std::string value(4, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) value.push_back(static_cast<char>(crc.checksum() >> shift));
    return value.append(content);
}

bool reads(std::string_view key, std::string_view value) {
    return row::read_channel(key, value) || row::read_publication(key, value) || row::read_key(key, value) ||
           row::read_number(key, value);
}

void same_row(std::string_view key, std::string_view value) {
    if (const auto channel = row::read_channel(key, value))
        require(row::value(key, *channel) == value, "a channel writes the row that it was read from");
    if (const auto publication = row::read_publication(key, value))
        require(row::value(key, *publication) == value, "a publication writes the row that it was read from");
    if (const auto number = row::read_number(key, value))
        require(row::value(key, *number) == value, "a number writes the row that it was read from");
    const auto read = row::read_key(key, value);
    if (!read) return;
    hub::publish made;
    made.channel = read->channel;
    const hub::keep_publication kept{
        hub::make_message(made, read->offset, read->time_ms), read->epoch, read->key, read->content};
    // Rows of before end without the number for the content.
    const std::string written = row::key_value(key, kept);
    const bool of_before = read->content == 0 && written.size() == value.size() + 8;
    require(of_before || written == value, "a remembered key writes the row that it was read from");
}

void keys_sort(std::string_view channel, std::uint64_t number) {
    const std::string key = row::publication_key(channel, number);
    const auto place = row::place_of(key);
    require(!channel.empty() == place.has_value(), "a publication's key is one");
    if (place) require(place->channel == channel && place->offset == number, "it says where it is");
    if (place) require(key < row::publication_key(channel, number + 1), "keys sort by offset");
    require(row::key_key(1, channel, number) < row::key_key(2, channel, 0), "remembered keys sort by time");
    const std::string of_channel = row::channel_key(channel);
    require(row::channel_of(of_channel).value_or("") == channel, "a channel's key says its name");
}

}  // namespace

void test_one_input(std::string_view input) {
    reads(input.substr(0, 1), input);
    if (const auto place = row::place_of(input))
        require(
            row::publication_key(place->channel, place->offset) == input, "a key is written as it was read"
        );
    const std::string_view key = take_until(input, '\0');
    keys_sort(key, input.size());

    std::string value = with_checksum(key, input);
    same_row(key, value);
    if (!reads(key, value)) return;
    const std::size_t at = input.size() * 7 % value.size();
    value[at] = static_cast<char>(value[at] ^ 1 << input.size() % 8);
    require(!reads(key, value), "one wrong bit is noticed");
}

}  // namespace pulsewire::fuzz
