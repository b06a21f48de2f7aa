// The records and notes of the shared log: any bytes are read or refused, what is read is written the same,
// and what a node writes is read, also by a reader that gets it with one wrong bit. The input is taken as it
// is, and then as the fields of a record and of a note: a byte for the kind, and texts after their lengths.

#include "common/cluster/notes.hpp"
#include "common/cluster/record.hpp"
#include "fuzz/fuzz.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace pulsewire::fuzz {
namespace {

using namespace pulsewire::cluster;

std::uint64_t take_number(std::string_view& input) {
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n = n << 8 | take_byte(input);
    return n;
}

// Within the bounds of every field.
std::string_view take_field(std::string_view& input) {
    return take_text(input, take_byte(input) % 32);
}

std::string_view take_name(std::string_view& input) {
    const std::string_view name = take_field(input);
    return name.empty() ? "room" : name;
}

cluster::operation take_operation(std::string_view& input) {
    switch (take_byte(input) % 4) {
        case 0: {
            publish_op p;
            p.channel = take_name(input);
            for (std::string_view* const field :
                 {&p.type, &p.key, &p.user, &p.except, &p.conflate, &p.payload})
                *field = take_field(input);
            p.content = take_number(input);
            p.publisher = take_number(input);
            p.accepted_ms = static_cast<std::int32_t>(take_number(input));
            const auto flags = take_byte(input);
            p.transient = (flags & 1) != 0;
            p.binary = (flags & 2) != 0;
            return p;
        }
        case 1: {
            join_op j;
            j.channel = take_name(input);
            j.session = take_name(input);
            for (std::string_view* const field : {&j.info, &j.user, &j.user_info}) *field = take_field(input);
            j.token = take_number(input);
            j.source = take_number(input);
            return j;
        }
        case 2:
            return part_op{take_name(input), take_name(input), take_number(input)};
        default: {
            note_op n;
            n.to = take_number(input);
            n.keep = take_byte(input) % 2 == 1;
            n.bytes = take_field(input);
            return n;
        }
    }
}

record_body take_body(std::string_view& input) {
    switch (take_byte(input) % 8) {
        case 0: {
            hello h;
            h.level_max = static_cast<std::uint16_t>(1 + take_byte(input));
            const unsigned flags = take_byte(input);
            h.log_was_empty = (flags & 1) != 0;
            h.incarnation_told = (flags & 2) != 0;
            h.incarnation = take_field(input);
            return h;
        }
        case 1: {
            cluster::operations o;
            do o.all.push_back(take_operation(input));
            while (!input.empty() && o.all.size() < 8);
            return o;
        }
        case 2:
            return sign{take_number(input)};
        case 3:
            return end{take_number(input), take_number(input)};
        case 4:
            return bye{};
        case 5: {
            image_chunk c;
            c.at = {take_number(input) | 1, {take_number(input), 2}};
            c.at_mark = {3, take_number(input)};
            c.index = take_byte(input);
            c.count = c.index + 1 + take_byte(input);
            c.bytes = take_field(input);
            c.digest = take_number(input);
            return c;
        }
        case 6:
            return options_record{take_field(input)};
        default:
            return level_record{static_cast<std::uint16_t>(1 + take_byte(input))};
    }
}

note take_note(std::string_view& input) {
    const auto text = [&] { return std::string(take_field(input)); };
    switch (take_byte(input) % 8) {
        case 0: {
            ask_note a;
            a.number = take_number(input);
            a.token = take_number(input);
            a.what.timeout_ms = take_byte(input);
            a.what.source = take_number(input);
            for (std::string* const field :
                 {&a.what.channel, &a.what.session, &a.what.user, &a.what.to, &a.what.type, &a.what.payload})
                *field = text();
            return a;
        }
        case 1:
            return unask_note{take_number(input)};
        case 2:
            return answer_note{take_number(input), error_code::overloaded, text(), text()};
        case 3:
            return post_note{take_number(input), text(), text()};
        case 4:
            return posted_note{take_number(input), static_cast<std::uint8_t>(take_byte(input))};
        case 5: {
            hub::revoke r;
            r.user = text();
            r.token_id = text();
            r.issued_before_ms = static_cast<std::int32_t>(take_number(input));
            r.within_ms = take_byte(input);
            return order{take_byte(input) % 2 == 1, r};
        }
        case 6: {
            hub::offer_channel o;
            o.channel = text();
            o.user = text();
            return order{false, o};
        }
        default: {
            hub::end_subscription e;
            e.channel = text();
            e.user = text();
            return order{false, e};
        }
    }
}

// Whatever the bytes are.
void read_all(std::string_view bytes) {
    if (const auto r = decode(bytes))
        require(encode(*r) == bytes, "a record is written as it was read");
    else
        require(!sentence_of(r.error()).empty(), "each error has a sentence");
    if (const auto op = decode_operation(bytes)) {
        require(encode(*op) == bytes, "an operation is written as it was read");
        if (const publish_op* const p = std::get_if<publish_op>(&*op)) {
            require(p->encoded == bytes, "a publish knows its bytes");
            require(channel_of_publish(bytes) == p->channel, "the channel is found without the rest");
        }
    }
    // An error is named, and one that this program does not know becomes another.
    if (const auto n = decode_note(bytes))
        require(decode_note(encode(*n)).has_value(), "a note that was read is written as one");
}

void with_one_wrong_bit(std::string bytes, std::size_t number) {
    char& wrong = bytes[number % bytes.size()];
    wrong = static_cast<char>(wrong ^ 1 << number / bytes.size() % 8);
    read_all(bytes);
}

}  // namespace

void test_one_input(std::string_view input) {
    read_all(input);
    const std::size_t number = input.size() * 37;

    record r;
    r.process = 7;
    r.connection = 1;
    r.seq = 2;
    r.base = {3, {4, 5}};
    r.clock.monotonic_ms = take_byte(input);
    const std::string_view fields = input;
    r.body = take_body(input);
    const std::string bytes = encode(r);
    const auto back = decode(bytes);
    require(back && encode(*back) == bytes, "a record that a node writes is read");
    if (const auto* const o = std::get_if<cluster::operations>(&r.body)) {
        std::string all;
        for (const cluster::operation& op : o->all) all += encode(op);
        require(encode_operations(r, all, o->all.size()) == bytes, "operations are encoded alone as well");
        with_one_wrong_bit(encode(o->all.front()), number);
    }
    with_one_wrong_bit(bytes, number);
    read_all(std::string_view(bytes).substr(0, number % bytes.size()));

    input = fields;
    const std::string note = encode(take_note(input));
    const auto heard = decode_note(note);
    require(heard && encode(*heard) == note, "a note that a node writes is read");
    with_one_wrong_bit(note, number);
}

}  // namespace pulsewire::fuzz
