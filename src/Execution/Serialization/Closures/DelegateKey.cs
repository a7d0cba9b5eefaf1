using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Tells delegates over one method from others in a few nanoseconds; <see cref="Delegate.Method"/> takes a hundred.</summary>
/// <remarks>Whoever keeps a key keeps the method alive too: an address is then never given to another one.</remarks>
internal readonly record struct DelegateKey(Type DelegateType, nint Method, nint StaticMethod, Type? TargetType)
{
    internal static DelegateKey Of(Delegate function) => new(function.GetType(), Pointer(function), StaticPointer(function), Target(function)?.GetType());

    internal bool Matches(Delegate function) =>
        Pointer(function) == Method && StaticPointer(function) == StaticMethod && function.GetType() == DelegateType && Target(function)?.GetType() == TargetType;

    /// <summary>The object that the code gets: for a static method the delegate itself.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_target")]
    internal static extern ref object? Target(Delegate function);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_methodPtr")]
    private static extern ref nint Pointer(Delegate function);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_methodPtrAux")]
    private static extern ref nint StaticPointer(Delegate function);
}
