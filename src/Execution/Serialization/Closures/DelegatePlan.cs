using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A delegate type bound to a method: how such delegates are described, and how they are made.</summary>
internal sealed class DelegatePlan
{
    private const byte NoTarget = 0;
    private const byte WithTarget = 1;
    private const byte OpenInstance = 2;

    private readonly byte _kind;
    private Func<object?, Delegate>? _create;
    private byte[]? _description;
    private ICodeReferences? _code;

    private DelegatePlan(Type delegateType, MethodInfo method, byte kind)
    {
        DelegateType = delegateType;
        Method = method;
        _kind = kind;
    }

    internal Type DelegateType { get; }

    internal MethodInfo Method { get; }

    /// <summary>Whether delegates differ by their targets. A lambda that captures nothing has one, but it says nothing.</summary>
    internal bool HasTarget => _kind == WithTarget;

    internal bool IsClosure { get; private init; }

    /// <summary>What the method reads of its closure; null when it has none.</summary>
    internal ClosureUse? Use { get; private init; }

    internal byte[] Description
    {
        get
        {
            if (_description is { } known)
            {
                return known;
            }

            var writer = new PayloadWriter();
            TypeNames.Write(writer, DelegateType, _code!);
            TypeNames.WriteMethod(writer, Method, _code!);
            writer.WriteByte(_kind);
            return _description = writer.ToArray();
        }
    }

    /// <summary>The plan of a delegate with one target.</summary>
    internal static DelegatePlan Of(Delegate function, ClosureAnalyzer analyzer, ICodeReferences code)
    {
        MethodInfo method;
        try
        {
            method = function.Method;
        }
        catch (MemberAccessException)
        {
            throw Unnamed(function);
        }

        // A DynamicMethod, a compiled expression, a delegate over native code.
        if (method.DeclaringType is not { } owner || method is DynamicMethod || method.MetadataToken >> 24 != 0x06)
        {
            throw Unnamed(function);
        }

        var target = function.Target;
        if (target is null)
        {
            return new DelegatePlan(function.GetType(), method, method.IsStatic ? NoTarget : OpenInstance) { _code = code };
        }

        var isClosure = GraphPath.IsClosure(target.GetType());
        if (isClosure && target.GetType() == owner && FieldPlan.FieldsOf(owner, typeof(object)).Length == 0)
        {
            return new DelegatePlan(function.GetType(), method, NoTarget) { _code = code };
        }

        return new DelegatePlan(function.GetType(), method, WithTarget)
        {
            _code = code,
            IsClosure = isClosure,
            Use = isClosure ? target.GetType() == owner ? analyzer.UseOf(method) : ClosureUse.Everything : null,
        };
    }

    internal static DelegatePlan Read(PayloadReader reader, TypeFinder types)
    {
        var type = types.Read(reader);
        if (!type.IsSubclassOf(typeof(MulticastDelegate)) || type.ContainsGenericParameters)
        {
            throw PayloadReader.Malformed($"'{type}' is no delegate");
        }

        var method = types.ReadMethod(reader) as MethodInfo ?? throw PayloadReader.Malformed("a delegate over a constructor");
        var kind = reader.ReadByte();
        if (kind > OpenInstance || method.IsAbstract || method.DeclaringType!.IsByRefLike || !Fits(type, method, kind))
        {
            throw PayloadReader.Malformed($"a '{type}' over '{method}'");
        }

        return new DelegatePlan(type, method, kind) { IsClosure = kind == WithTarget && GraphPath.IsClosure(method.DeclaringType) };
    }

    /// <summary>Makes a delegate.</summary>
    internal Delegate Create(object? target)
    {
        if (_kind == WithTarget)
        {
            CheckTarget(target);
        }

        return (_create ??= EmitCreate())(target);
    }

    /// <summary>A target that the method would not expect must never reach it: delegates check nothing.</summary>
    internal void CheckTarget(object? target)
    {
        var expected = Method.IsStatic ? Method.GetParameters()[0].ParameterType : Method.DeclaringType!;
        if (target is null ? !Method.IsStatic : !expected.IsInstanceOfType(target))
        {
            throw PayloadReader.Malformed($"a delegate over '{Method}' with a '{target?.GetType()}'");
        }
    }

    /// <summary>Pushes what a delegate is made of, target first, and makes it; the target is on the stack already.</summary>
    internal void EmitNew(ILGenerator il)
    {
        il.Emit(OpCodes.Ldftn, Method);
        il.Emit(OpCodes.Newobj, DelegateType.GetConstructors()[0]);
    }

    private Func<object?, Delegate> EmitCreate()
    {
        if (_kind == OpenInstance)
        {
            var single = Delegate.CreateDelegate(DelegateType, Method);
            return _ => single;
        }

        object? shared = null;
        if (_kind == NoTarget && !Method.IsStatic)
        {
            shared = RuntimeHelpers.GetUninitializedObject(Method.DeclaringType!);
        }

        var code = new DynamicMethod("New delegate", typeof(Delegate), [typeof(object), typeof(object)], typeof(DelegatePlan).Module, skipVisibility: true);
        var il = code.GetILGenerator();
        il.Emit(OpCodes.Ldarg_1);
        EmitNew(il);
        il.Emit(OpCodes.Ret);
        var make = code.CreateDelegate<Func<object?, Delegate>>(new object());
        if (_kind == WithTarget)
        {
            return make;
        }

        var only = make(shared);
        return _ => only;
    }

    private static bool Fits(Type type, MethodInfo method, byte kind)
    {
        var invoke = type.GetMethod("Invoke")!;
        var given = invoke.GetParameters().Select(parameter => parameter.ParameterType).ToList();
        var taken = method.GetParameters().Select(parameter => parameter.ParameterType).ToList();
        switch (kind)
        {
            case NoTarget when !method.IsStatic:
                if (!GraphPath.IsClosure(method.DeclaringType!) || FieldPlan.FieldsOf(method.DeclaringType!, typeof(object)).Length > 0)
                {
                    return false;
                }

                break;

            case WithTarget when method.IsStatic:
                if (taken.Count == 0 || taken[0].IsValueType || taken[0].IsByRef || taken[0].IsPointer)
                {
                    return false;
                }

                taken.RemoveAt(0);
                break;

            case OpenInstance:
                if (method.IsStatic || given.Count == 0)
                {
                    return false;
                }

                var self = given[0].IsByRef ? given[0].GetElementType()! : given[0];
                if (self.IsValueType != given[0].IsByRef || !method.DeclaringType!.IsAssignableFrom(self))
                {
                    return false;
                }

                given.RemoveAt(0);
                break;
        }

        return given.Count == taken.Count && Passes(method.ReturnType, invoke.ReturnType) && given.Zip(taken).All(pair => Passes(pair.First, pair.Second));
    }

    // As the runtime binds delegates: the same type, or references to a more special one.
    private static bool Passes(Type from, Type to) => from == to || (!from.IsValueType && !to.IsValueType && !from.IsByRef && !from.IsPointer && to.IsAssignableFrom(from));

    private static RefusedException Unnamed(Delegate function) =>
        new(function.GetType(), "is code made at run time (a compiled expression or a DynamicMethod), which no file holds", function)
        {
            Remedy = "Capture the expression tree and compile it inside the call",
        };
}
