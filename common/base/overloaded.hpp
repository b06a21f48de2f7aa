#pragma once

namespace pulsewire {

// One callable out of several lambdas, for std::visit: an alternative without a lambda does not compile.
template <class... Lambdas>
struct overloaded : Lambdas... {
    using Lambdas::operator()...;
};
template <class... Lambdas>
overloaded(Lambdas...) -> overloaded<Lambdas...>;

}  // namespace pulsewire
