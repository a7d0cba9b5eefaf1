using System.Reflection.Emit;

namespace Orleans.Joblib;

/// <summary>An instruction of a method's body, with its token if it has one.</summary>
internal readonly record struct Instruction(OpCode Code, int Token);
