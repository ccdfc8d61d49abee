//! `check`: evaluates the relation itself and reports what fails, by table, row, constraint and
//! cells. The ideal twin of every PIOP for AIRs.
