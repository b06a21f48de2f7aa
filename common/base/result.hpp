#pragma once

// A value or the error that explains why there is none; g++ 12 and libc++ 13 have no std::expected. Works
// without exceptions: asking for the side that it does not hold is a bug and ends the program.

#include <cstdlib>
#include <utility>
#include <variant>

namespace pulsewire {

// Wraps an error so that `return failure{...};` converts to any result with that error type.
template <class Error>
struct failure {
    Error error;
};
template <class Error>
failure(Error) -> failure<Error>;

template <class Value, class Error>
class [[nodiscard]] result {
public:
    result(Value value) : state_(std::in_place_index<0>, std::move(value)) {}

    template <class OtherError>
    result(failure<OtherError> f) : state_(std::in_place_index<1>, std::move(f.error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    // Precondition: has_value().
    Value& value() & { return checked<0>(state_); }
    const Value& value() const& { return checked<0>(state_); }
    Value&& value() && { return std::move(checked<0>(state_)); }
    Value& operator*() & { return value(); }
    const Value& operator*() const& { return value(); }
    Value* operator->() { return &value(); }
    const Value* operator->() const { return &value(); }

    // Precondition: !has_value().
    const Error& error() const& { return checked<1>(state_); }
    Error&& error() && { return std::move(checked<1>(state_)); }

private:
    template <std::size_t Index, class State>
    static auto& checked(State& state) {
        auto* held = std::get_if<Index>(&state);
        if (held == nullptr) std::abort();
        return *held;
    }

    std::variant<Value, Error> state_;
};

}  // namespace pulsewire
