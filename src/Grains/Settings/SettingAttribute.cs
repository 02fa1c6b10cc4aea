namespace RpOrleans.Grains.Settings;

/// <summary>Names the environment variable that a property is read from. A <see cref="TimeSpan"/> is given in seconds.</summary>
/// <param name="name">The variable's name.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string name) : Attribute
{
    /// <summary>The variable's name.</summary>
    public string Name => name;

    /// <summary>Whether the value must never be printed.</summary>
    public bool Secret { get; init; }
}
