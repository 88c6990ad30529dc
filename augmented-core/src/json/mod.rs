//! JSON texts and trees: intake with source positions, canonical form, pointers, patches.
