#pragma once

// The owner of something that a C library allocates, which that library's function frees.

namespace pulsewire {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* owned) const {
        Free(owned);
    }
};

}  // namespace pulsewire
