"""Memory pressure → level 0 to 3, and what each level leaves out, so that the rest goes on being recorded.

1. read what is in use and how much there may be   `readers`, `groups`, `limits`
2. judge: up soon, down late                       `levels`
3. leave things out, level by level                `shedding`, the one table
4. give the memory back, and judge what that did   `reclaim`
5. say so                                          `sentence`, as a `model.pressure_report`

`governor.Governor` puts them together. Whatever cannot be read is missing, and the rest is judged.
"""
